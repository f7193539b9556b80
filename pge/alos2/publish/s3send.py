"""Send a dataset's files to S3, several at a time, large ones in parts, each of them verified."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from alos2.errors import PublishFailed
from alos2.publish.model import Entry, PublishOptions
from alos2.publish.parallel import each
from alos2.publish.s3bucket import Bucket


@dataclass
class _Upload:
    """A large file on its way."""

    entry: Entry
    id: str
    tags: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Job:
    """One request: a small file, or one part of a large one."""

    entry: Entry
    upload: _Upload | None = None
    number: int = 0


@dataclass(frozen=True)
class _Sent:
    job: _Job
    size: int
    tag: str = ""
    is_proven: bool = True


def send(
    bucket: Bucket,
    prefix: str,
    entries: tuple[Entry, ...],
    over: Mapping[str, str],
    options: PublishOptions,
) -> None:
    """Send `entries` below `prefix`; when this returns, the bucket has what was hashed.

    Small files are whole requests, and parts of large files are such too, so that one large file
    keeps all connections busy. What the answers do not prove is read back.

    Parameters
    ----------
    bucket, prefix, entries
        What goes where.
    over : mapping
        Entity tags of the objects that are there now, by name.
    options : PublishOptions
        How.

    Raises
    ------
    PublishFailed, NoResource
        A file could not be sent, or is there with other content.
    Interrupted
        The caller wanted to stop.
    """
    total = sum(entry.size for entry in entries)
    done = 0
    in_doubt: list[Entry] = []

    def work(job: _Job) -> _Sent:
        entry = job.entry
        key = prefix + entry.name
        if job.upload is None:
            return _Sent(job, entry.size, is_proven=bucket.put(key, entry, over.get(entry.name)))
        tag = bucket.put_part(key, job.upload.id, entry, job.number)
        begun = job.number * options.part_bytes
        return _Sent(job, min(options.part_bytes, entry.size - begun), tag)

    jobs = _jobs(bucket, prefix, entries)
    for sent in each(work, jobs, at_once=options.at_once, stop=options.stop):
        done += sent.size
        options.progress("publish", done, total)
        is_proven = sent.is_proven
        upload = sent.job.upload
        if upload is not None:
            upload.tags[sent.job.number] = sent.tag
            if len(upload.tags) == len(upload.entry.md5_parts):
                tags = [upload.tags[n] for n in range(len(upload.tags))]
                is_proven = bucket.end_parts(
                    prefix + upload.entry.name,
                    upload.id,
                    upload.entry,
                    tags,
                    over.get(upload.entry.name),
                )
        if not is_proven or options.verify_all:
            in_doubt.append(sent.job.entry)
    _read_back(bucket, prefix, list(dict.fromkeys(in_doubt)), options)


def _jobs(bucket: Bucket, prefix: str, entries: tuple[Entry, ...]) -> Iterator[_Job]:
    """Yield the requests; the large files first, so that no single one is left at the end."""
    for entry in sorted(entries, key=lambda e: e.size, reverse=True):
        if len(entry.md5_parts) == 1:
            yield _Job(entry)
            continue
        upload = _Upload(entry, bucket.begin_parts(prefix + entry.name, entry))
        for number in range(len(entry.md5_parts)):
            yield _Job(entry, upload, number)


def _read_back(bucket: Bucket, prefix: str, entries: list[Entry], options: PublishOptions) -> None:
    def is_right(entry: Entry) -> tuple[Entry, bool]:
        return entry, bucket.sha256(prefix + entry.name) == entry.sha256

    total, done = sum(entry.size for entry in entries), 0
    for entry, right in each(is_right, entries, at_once=options.at_once, stop=options.stop):
        if not right:
            raise PublishFailed(
                f"{entry.name} reads back other than it was sent", hint="run the same command again"
            )
        done += entry.size
        options.progress("verify", done, total)
