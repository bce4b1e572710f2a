"""WaterML 2.0 and 1.1: real answers of services, valid and not, and documents that mean harm."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuyu.basin.bundle import bundle_file
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Station
from liuyu.monitor.sense.readers import Reading, read_file
from liuyu.monitor.sense.readers.mapping import Mapping, Value
from liuyu.monitor.sense.readers.xml_tree import parse_xml

BASIN = Basin(
    code="w",
    name="w",
    name_en="w",
    time_zone="UTC",
    synthetic=True,
    folder=".",
    stations=(Station(code="W", name="w", name_en="w"),),
)
SPACES = (
    'xmlns:wml2="http://www.opengis.net/waterml/2.0" xmlns:om="http://www.opengis.net/om/2.0" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
)


def document(points: str, uom: str = "m", kind: str = "Continuous") -> str:
    unit = f'<wml2:uom code="{uom}"/>' if uom else ""
    return f"""<wml2:Collection {SPACES}>
<wml2:observationMember><om:OM_Observation>
<om:observedProperty xlink:href="http://example.org/property#stage" xlink:title="Stage"/>
<om:featureOfInterest xlink:href="http://example.org/station/W"/>
<om:result><wml2:MeasurementTimeseries>
<wml2:defaultPointMetadata><wml2:DefaultTVPMeasurementMetadata>
<wml2:quality xlink:href="http://www.opengis.net/def/waterml/2.0/quality/good"/>{unit}
<wml2:interpolationType xlink:href="http://www.opengis.net/def/timeseriesType/WaterML/2.0/{kind}"/>
</wml2:DefaultTVPMeasurementMetadata></wml2:defaultPointMetadata>
{points}
</wml2:MeasurementTimeseries></om:result></om:OM_Observation></wml2:observationMember></wml2:Collection>"""


def point(time: str, value: str, more: str = "") -> str:
    return (
        f"<wml2:point><wml2:MeasurementTVP><wml2:time>{time}</wml2:time>{value}{more}"
        "</wml2:MeasurementTVP></wml2:point>\n"
    )


def quality(name: str) -> str:
    href = f"http://www.opengis.net/def/waterml/2.0/quality/{name}"
    meta = f'<wml2:TVPMeasurementMetadata><wml2:quality xlink:href="{href}"/></wml2:TVPMeasurementMetadata>'
    return f"<wml2:metadata>{meta}</wml2:metadata>"


def reading(folder: Path, text: str, mapping: Mapping | None = None) -> Reading:
    path = folder / "answer.xml"
    path.write_text(text, encoding="utf-8")
    stage = Mapping(values=(Value(quantity="water_level", code="stage"),))
    return read_file(path, "waterml2", mapping or stage, BASIN)


def test_units_offsets_missing_and_quality(tmp_path: Path) -> None:
    points = (
        point("2020-08-20T12:00:00+08:00", "<wml2:value>10.5</wml2:value>")
        + point("2020-08-20T13:00:00+08:00", '<wml2:value xsi:nil="true"/>')
        + point("2020-08-20T14:00:00+08:00", "<wml2:value>11</wml2:value>", quality("suspect"))
        + point("2020-08-20T15:00:00+08:00", "<wml2:value>12</wml2:value>", quality("missing"))
    )
    found = reading(tmp_path, document(points, "ft"))
    assert found.batch.value.tolist() == [3.2004, 3.3528]
    assert found.batch.flag.tolist() == [Flag.GOOD, Flag.SUSPECT]
    assert found.batch.time[0] == epoch(parse_time("2020-08-20T04:00", "UTC"))
    assert (found.missing, found.faults, found.asides) == (2, (), ())


def test_faults_name_the_line(tmp_path: Path) -> None:
    points = point("2020-08-20T12:00:00", "<wml2:value>10.5</wml2:value>") + point(
        "2020-08-20T13:00:00Z", "<wml2:value>ten</wml2:value>"
    )
    found = reading(tmp_path, document(points))
    assert [(each.line, each.value, each.problem) for each in found.faults] == [
        (10, "2020-08-20T12:00:00", "has no zone"),
        (11, "ten", "is not a number"),
    ]
    assert len(found.batch) == 0
    assert len(found.asides) == 2


@pytest.mark.parametrize(("uom", "problem"), [("", "the series has no unit"), ("furlong", "unit 'furlong' does not")])
def test_a_series_without_a_known_unit_is_not_guessed(tmp_path: Path, uom: str, problem: str) -> None:
    found = reading(tmp_path, document(point("2020-08-20T13:00:00Z", "<wml2:value>10</wml2:value>"), uom))
    assert [each.problem[: len(problem)] for each in found.faults] == [problem]
    assert b"2020-08-20T13:00:00Z,10" in found.asides[0].payload


def test_what_is_no_observation_of_a_moment_or_not_named_is_set_aside(tmp_path: Path) -> None:
    one = point("2020-08-20T13:00:00Z", "<wml2:value>10</wml2:value>")
    assert "kind maxprec" in reading(tmp_path, document(one, kind="MaxPrec")).asides[0].reason
    assert "no quantity for property" in reading(tmp_path, document(one), Mapping()).asides[0].reason
    other = document(one).replace("station/W", "station/V")
    assert "unknown station http://example.org/station/V" in reading(tmp_path, other).asides[0].reason


BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><a>&b;</a>'


@pytest.mark.parametrize("text", [BOMB, OUTSIDE, '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>'])
def test_document_types_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"answer.xml:1: declares a document type"):
        reading(tmp_path, text)


def test_broken_and_too_deep_documents_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"answer.xml:2: is not XML"):
        reading(tmp_path, "<a>\n<b></a>")
    with pytest.raises(BadInput, match="deeper than"):
        reading(tmp_path, "<a>" * 300 + "</a>" * 300)
    with pytest.raises(BadInput, match=r"holds no WaterML 2.0 time series"):
        reading(tmp_path, "<a><b/></a>")
    assert parse_xml(b"<a xmlns='u:v'><b>x</b></a>", "a").word("b") == "x"


@pytest.mark.data
def test_the_answers_of_52north() -> None:
    weather = Mapping(codes={"Vaisala-WXT520": "W"}, values=(Value(quantity="air_temperature", code="AirTemperature"),))
    path = bundle_file("waterml2_samples/sos_52n_getobservation_wml2_response.xml")
    found = read_file(path, "waterml2", weather, BASIN)
    assert found.batch.value.tolist() == [12.2, 12.3, 12.0, 11.9, 12.1, 12.5]
    assert found.batch.time[0] == epoch(parse_time("2014-07-01T00:01:42", "UTC"))
    buoy = Mapping(
        codes={"urn:ioos:station:test:8(height-80.0m)": "W"},
        values=(Value(quantity="water_temperature", code="sea_water_temperature"),),
    )
    found = read_file(bundle_file("waterml2_samples/sos_52n_get_observation_ioos_wml2.xml"), "waterml2", buoy, BASIN)
    assert len(found.batch) == 20
    assert found.batch.value[:3].tolist() == [16.02, 12.1, 30.7]
    assert len(found.asides) == 20
    assert found.faults == ()


@pytest.mark.data
def test_waterml_1_1_values_are_read_and_lists_of_sites_refused() -> None:
    mapping = Mapping(codes={"MMB": "W"}, values=(Value(quantity="water_temperature", code="Temp"),), flags={"3": 1})
    path = bundle_file("waterml2_samples/wml11_get_values_1_1_ipswich_MMB_ipswich_Temp.xml")
    found = read_file(path, "waterml2", mapping, BASIN)
    assert found.batch.value[:3].tolist() == [19.0, 8.0, 5.0]
    assert found.batch.time[0] == epoch(parse_time("1997-08-24T15:35", "UTC"))
    assert set(found.batch.flag.tolist()) == {Flag.GOOD}
    for name in ("wml11_get_sites_ipswich_1_1.xml", "wml11_get_site_info_ipswich_MMB_1_1.xml"):
        with pytest.raises(BadInput, match="no time series"):
            read_file(bundle_file(f"waterml2_samples/{name}"), "waterml2", mapping, BASIN)
    with pytest.raises(BadInput, match="is not XML"):
        read_file(bundle_file("waterml2_samples/wml11_cuahsi.txt"), "waterml2", mapping, BASIN)
