"""Archives: look into (nested) zips, unpack them safely, write them once."""
