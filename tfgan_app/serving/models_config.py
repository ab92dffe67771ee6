"""`models.config`: the versions of each model to serve, and their labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

CONFIG_FILE = "models.config"

_PLATFORM = "tensorflow"
_MAX_VERSION = 2**63 - 1


@dataclass(frozen=True)
class ModelRules:
    """Versions of a model to serve.

    Attributes:
        keep: Number of highest versions; `None` for the server's default.
        specific: Exactly these versions, if any.
        labels: Label -> version, which is served besides the highest.
    """

    keep: int | None = None
    specific: frozenset[int] = frozenset()
    labels: Mapping[str, int] = field(default_factory=dict)

    def wanted(self, versions: Collection[int], *, keep: int, broken: Collection[int]) -> list[int]:
        """Returns the versions to serve.

        Args:
            versions: Existing versions.
            keep: Number of highest loadable versions, if the rules have none.
            broken: Versions that could not be loaded.

        Returns:
            Versions, the highest first.
        """
        sound = sorted(set(versions) - set(broken), reverse=True)
        if self.specific:
            return [version for version in sound if version in self.specific]
        count = keep if self.keep is None else self.keep
        labeled = set(self.labels.values())
        return [version for index, version in enumerate(sound) if index < count or version in labeled]


def read_models_config(root: Path) -> dict[str, ModelRules]:
    """Reads `models.config` in the folder of models, if it exists.

    Models come from the folder, listed or not; `base_path` is the path at which TensorFlow Serving would find them.

    Args:
        root: The folder of models.

    Returns:
        Name -> rules, for the listed models.

    Raises:
        ValueError: If the file is not a `ModelServerConfig` in text format, or uses an unsupported feature.
    """
    path = root / CONFIG_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' cannot be read: {error}") from error
    try:
        config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    except (text_format.ParseError, RecursionError) as error:
        raise ValueError(f"'{path}' is not a ModelServerConfig in text format: {error}") from error
    try:
        return _rules_of_models(config)
    except ValueError as error:
        raise ValueError(f"'{path}': {error}") from None


def _rules_of_models(config: Any) -> dict[str, ModelRules]:
    if config.HasField("custom_model_config"):
        raise ValueError("`custom_model_config` is not supported; list models in `model_config_list`.")
    found: dict[str, ModelRules] = {}
    for model in config.model_config_list.config:
        if not model.name:
            raise ValueError("a model has no `name`.")
        if model.name in found:
            raise ValueError(f"model '{model.name}' is listed twice.")
        try:
            found[model.name] = _rules(model)
        except ValueError as error:
            raise ValueError(f"model '{model.name}': {error}") from None
    return found


def _rules(model: Any) -> ModelRules:
    if model.model_platform not in ("", _PLATFORM):
        raise ValueError(f'`model_platform` must be "{_PLATFORM}". Received: "{model.model_platform}".')
    model_type = model.DESCRIPTOR.fields_by_name["model_type"].enum_type.values_by_number.get(model.model_type)
    if model_type is None or model_type.name == "OTHER":
        raise ValueError("`model_type` must be TENSORFLOW, or left out.")
    if model.HasField("logging_config"):
        raise ValueError("`logging_config` is not supported: leave it out.")
    keep, specific = _policy(model.model_version_policy)
    labels = dict(model.version_labels)
    for label, version in labels.items():
        if version < 0 or (specific and version not in specific):
            raise ValueError(
                f"label '{label}' must point to a version that is served. Received: {version}; "
                f"`specific`: {sorted(specific) or 'any'}."
            )
    return ModelRules(keep, specific, labels)


def _policy(policy: Any) -> tuple[int | None, frozenset[int]]:
    choice = policy.WhichOneof("policy_choice")
    if choice == "latest":
        return max(policy.latest.num_versions, 1), frozenset()
    if choice == "all":
        return _MAX_VERSION, frozenset()
    if choice == "specific":
        versions = frozenset(policy.specific.versions)
        if not versions or min(versions) < 0:
            raise ValueError(f"`specific` must list `versions` from 0. Received: {sorted(versions) or 'none'}.")
        return None, versions
    return None, frozenset()
