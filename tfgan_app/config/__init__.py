"""Configuration of a run: typed sections, overrides and files; standard library only."""

from tfgan_app.config.run_config import (
    FLAG_FIELDS,
    RunConfig,
    absolute_model,
    absolute_source,
    apply_overrides,
    default_config,
    diff,
    from_dict,
    load_json,
    local_paths,
    read_values,
    replace_values,
    resolve_config,
    resume_rule,
    to_dict,
    to_json,
)

__all__ = [
    "FLAG_FIELDS",
    "RunConfig",
    "absolute_model",
    "absolute_source",
    "apply_overrides",
    "default_config",
    "diff",
    "from_dict",
    "load_json",
    "local_paths",
    "read_values",
    "replace_values",
    "resolve_config",
    "resume_rule",
    "to_dict",
    "to_json",
]
