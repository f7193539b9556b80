"""A product becomes documents, and documents and files a dataset."""
