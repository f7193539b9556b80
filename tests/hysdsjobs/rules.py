"""What HySDS asks of job-spec and hysds-io files, restated: every rule here has failed a job once.

Sources: HySDS's public code as of August 2026. ``hysds_commons``: ``validate.py``, ``job_utils.py``
and the two schemas; ``container-builder``: ``build-container.bash``, ``job-met.py``, ``io-met.py``;
``mozart``: the route that lists on-demand jobs.
"""

from __future__ import annotations

from typing import Any, Final

TYPES: Final = (
    "text", "number", "datetime", "date", "boolean", "enum", "email", "textarea", "region",
    "container_version", "jobspec_version", "hysdsio_version", "object",
)  # fmt: skip

_NAME: Final = {"type": "string", "pattern": r"\A[A-Za-z_][A-Za-z0-9_]*\Z"}

JOB_SPEC: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["command", "params", "disk_usage", "soft_time_limit", "time_limit"],
    "properties": {
        "command": {"type": "string", "minLength": 1},
        "params": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "destination"],
                "properties": {
                    "name": _NAME,
                    "destination": {"enum": ["positional", "localize", "context"]},
                },
                "additionalProperties": False,
            },
        },
        "disk_usage": {"type": "string", "pattern": r"\A\d+(GB|MB|KB)\Z"},
        "soft_time_limit": {"type": "integer", "minimum": 1},
        "time_limit": {"type": "integer", "minimum": 1},
        "imported_worker_files": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    {"type": "string"},
                    {
                        "type": "array",
                        "prefixItems": [{"type": "string"}, {"enum": ["ro", "rw"]}],
                        "minItems": 2,
                        "maxItems": 2,
                    },
                ]
            },
        },
        "runtime_options": {"type": "object"},
        "dependency_images": {"type": "array"},
        "localize_urls": {"type": "array"},
        "pre": {"type": "array", "items": {"type": "string"}},
        "post": {"type": "array", "items": {"type": "string"}},
        "disable_pre_builtins": {"type": "boolean"},
        "disable_post_builtins": {"type": "boolean"},
        "recommended-queues": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "required-queues": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    },
    # HySDS takes any key; one that it does not read is a slip of ours.
    "additionalProperties": False,
}

HYSDS_IO: Final[dict[str, Any]] = {
    "type": "object",
    # HySDS's schema asks for params only; without a label mozart's list of jobs breaks whole.
    "required": ["params", "label"],
    "properties": {
        "label": {"type": "string", "minLength": 1},
        "component": {"enum": ["tosca", "figaro"]},
        "submission_type": {"enum": ["individual", "iteration"]},
        "enable_dedup": {"type": "boolean"},
        "allowed_accounts": {"type": "array"},
        "params": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "from"],
                "properties": {
                    "name": _NAME,
                    "from": {
                        "type": "string",
                        "pattern": r"\A(value|submitter|passthrough|dataset_jpath:.+)\Z",
                    },
                    "type": {"enum": list(TYPES)},
                    "value": {"type": "string"},
                    # Its schema holds a default without a type for an object's.
                    "default": {"type": "string"},
                    "optional": {"type": "boolean"},
                    "lambda": {"type": "string", "pattern": r"\Alambda[: ]"},
                    "placeholder": {"type": "string"},
                    "enumerables": {"type": "array"},
                },
                "dependentRequired": {"default": ["type"], "value": ["type"]},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

REFUSED_MOUNTS: Final = ("/dev", "/etc", "/lib", "/proc", "/usr", "/var")
"""The worker mounts nothing that begins so."""
