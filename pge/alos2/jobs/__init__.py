"""The one pipeline: fetch, unpack, recognise, describe, picture, package, publish."""
