"""What is there: read a basin package and look at it as plain records."""

from liuyu.basin.package import find_basin, read_basin

basin = read_basin(find_basin("qingxi"))
print(f"{basin.name} {basin.name_en}, synthetic: {basin.synthetic}")
for station in basin.stations:
    lines = ", ".join(
        f"{each.kind} {each.value:g} m ({each.datum})" for each in basin.thresholds_of(station.code, "water_level")
    )
    print(f"  {station.code} {station.name} {station.name_en}: {lines or 'no thresholds'}")
