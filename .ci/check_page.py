"""Check that the package page of a wheel has URLs, and no link to a file beside the README: `check_page.py WHEEL`."""

import re
import sys
from zipfile import ZipFile

archive = ZipFile(sys.argv[1])
(name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
metadata = archive.read(name).decode()
urls = re.findall(r"^Project-URL: (\w+), https://", metadata, flags=re.MULTILINE)
links = re.findall(r"\]\(([^)]+)\)", metadata)
assert urls == ["Repository", "Changelog", "Issues"], urls
assert links
assert not [link for link in links if not link.startswith("https://")], links
print("the page has", len(urls), "URLs and", len(links), "links that lead somewhere")
