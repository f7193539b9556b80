"""BOS SARCAT, a public catalogue of SAR acquisitions and plans: asked by scene id, rarely believed.

Source of the protocol: OGC WFS 1.0.0 GetFeature as GeoServer answers it; a stored real answer.
"""

from __future__ import annotations

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.errors import BadProduct
from alos2.footprint.provider import NoAnswer, Question
from alos2.footprint.sarcat_cache import NegativeCache
from alos2.footprint.sarcat_rows import Row, parse_answer, rows_about
from alos2.geometry.rings import area_ratio

_METHOD = "catalogue row"


def bos_sarcat_footprint(question: Question) -> FootprintAnswer | NoAnswer:
    """Answer with the best row about the scene; accepted only if it agrees with the product.

    It is believed when look side, pass and date are the product's and its area overlaps the
    product's own footprint by `FootprintOptions.min_overlap` (intersection over union).
    """
    if not question.options.sarcat:
        return NoAnswer("the catalogue is switched off (ALOS2_SARCAT=off)")
    rows = _rows(question)
    if isinstance(rows, NoAnswer):
        return rows
    judged = [_judge(row, question) for row in rows]
    answers = [a for a in judged if isinstance(a, FootprintAnswer)]
    believed = next((answer for answer in answers if answer.accepted), None)
    return believed or (answers[0] if answers else judged[0])


def _rows(question: Question) -> list[Row] | NoAnswer:
    """Ask, unless it was asked in vain a short time ago; return at least one row, best first."""
    options, scene = question.options, str(question.product.scene)
    cache = NegativeCache(options.cache_dir)
    server, subject = options.sarcat_url, f"{options.sarcat_url} {scene}"
    known = cache.get(server, options.failure_cache_s) or cache.get(
        subject, max(options.empty_cache_s, options.failure_cache_s)
    )
    if known is not None:
        return NoAnswer(f"{known.reason} (remembered from a short time ago)")
    from alos2.footprint.sarcat_client import ask  # noqa: PLC0415  requests only to ask

    answer = ask(server, scene, options.sarcat_budget_s)
    if isinstance(answer, NoAnswer):
        cache.put(server, answer.reason, options.failure_cache_s)
        return answer
    features = parse_answer(answer.body, answer.content_type)
    if isinstance(features, NoAnswer):
        # The server lives; it may be this question that it dislikes.
        cache.put(subject, features.reason, options.failure_cache_s)
        return features
    rows = rows_about(features, question.product)
    if not rows:
        nothing = NoAnswer(f"the catalogue has no row of {scene}")
        cache.put(subject, nothing.reason, options.empty_cache_s)
        return nothing
    return rows


def _judge(row: Row, question: Question) -> FootprintAnswer | NoAnswer:
    if row.geometry is None:
        return NoAnswer(f"the catalogue's row cannot be used: {row.geometry_problem}")
    reasons = list(row.disagreements)
    details = dict(row.details)
    if question.own is None:
        reasons.append("the product itself gives no footprint to compare with")
    else:
        try:
            ratio = area_ratio(row.geometry, question.own.geometry)
        except (BadProduct, ValueError) as error:
            return NoAnswer(f"the catalogue's row cannot be compared: {error}")
        details["area_ratio"] = round(ratio, 4)
        details["compared_with"] = question.own.source
        if ratio < question.options.min_overlap:
            reasons.append(
                f"it overlaps the product's own footprint by {ratio:.2f} only, less than "
                f"{question.options.min_overlap:g}"
            )
    return FootprintAnswer(
        "bos_sarcat",
        row.geometry,
        _METHOD,
        accepted=not reasons,
        reason="; ".join(reasons),
        details=details,
    )
