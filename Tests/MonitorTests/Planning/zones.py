"""Prints what Python's zoneinfo knows of every zone: lines of zone, Unix seconds, offset; and of zone, local, Unix seconds."""
import random
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone

zoneinfo.reset_tzpath([sys.argv[1]])
draw = random.Random(1)
epoch = datetime(1970, 1, 1)
for name in sorted(zoneinfo.available_timezones()):
    zone = zoneinfo.ZoneInfo(name)
    for _ in range(60):
        at = draw.randrange(-2_000_000_000, 4_000_000_000)
        offset = datetime.fromtimestamp(at, zone).utcoffset() // timedelta(seconds=1)
        print("at", name, at, offset)
    # Around the days on which clocks are set in one year.
    for day in range(0, 365):
        local = datetime(2027, 1, 1) + timedelta(days=day, hours=2, minutes=30)
        before, after = (zone.utcoffset(local + timedelta(days=days)) for days in (-2, 2))
        if before == after:
            continue
        moment = int(local.replace(tzinfo=zone, fold=0).timestamp())
        print("local", name, (local - epoch) // timedelta(seconds=1), moment)
