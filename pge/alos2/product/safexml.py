"""XML from outside is parsed: bounded, without entities, document types or the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alos2.errors import BadProduct

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_XML_BYTES: Final = 1 << 20
"""JAXA's have some kB."""


def parse_xml(data: bytes, name: str, kind: str) -> _Element:
    """Parse a small XML file of a delivery.

    Parameters
    ----------
    data
        What it holds.
    name
        Its name, for messages.
    kind
        What it should be (``KML``), for messages.

    Returns
    -------
    _Element
        Its root.

    Raises
    ------
    BadProduct
        It is too large, no XML, or declares a document type.
    """
    from lxml import etree  # noqa: PLC0415 - slow to import, and not every product has XML

    if len(data) > MAX_XML_BYTES:
        raise BadProduct(f"{name} has more than {MAX_XML_BYTES} bytes: it is no {kind} of JAXA")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadProduct(f"{name} is not well-formed XML: {error}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadProduct(f"{name} declares a document type, which a {kind} of JAXA does not")
    return root
