"""`CITATION.cff`: readable to those who cite, and of this version."""

import configparser
import re
from pathlib import Path

import yaml

import tfgan_app

ROOT = Path(__file__).resolve().parents[1]

# Of schema 1.2.0 (https://github.com/citation-file-format/citation-file-format): keys at the top, and those wanted.
REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {
    *("abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url"),
    *("preferred-citation", "references", "repository", "repository-artifact", "repository-code", "type", "url"),
    "version",
}


def test_it_has_what_the_schema_wants_and_says_what_the_package_says():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert REQUIRED <= citation.keys() <= ALLOWED
    assert (citation["cff-version"], citation["type"]) == ("1.2.0", "software")
    assert citation["authors"]
    for author in citation["authors"]:
        assert author.keys() <= {"name", "family-names", "given-names", "affiliation", "orcid", "email", "website"}
        assert author.get("name") or author.get("family-names")
    assert len(set(citation["keywords"])) == len(citation["keywords"])
    assert all(
        isinstance(value, str) and value for key, value in citation.items() if key not in ("authors", "keywords")
    )
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert (citation["title"], citation["license"]) == (setup["metadata"]["name"], setup["metadata"]["license"])
    assert citation["version"] == tfgan_app.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", citation["version"])
