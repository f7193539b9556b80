"""Where datasets go: to a folder, to S3, to WebDAV, by the rules that HySDS itself has.

`alos2.publish.engine.publish` does it; `alos2.publish.target.target_of` says where.
"""
