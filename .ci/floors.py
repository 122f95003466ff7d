"""Print the oldest supported release of each dependency, such as `httpx==0.25.1`, and of what the tests add to them."""

import importlib.metadata
import re

requirements = importlib.metadata.requires("novaact-http") or []
floors = dict(each.split(">=") for each in requirements if "extra ==" not in each)
floors["boto3"] = floors["botocore"]
# An extra in users' programs, so its floor counts too. The SDK and its API always have the same version.
(oldest,) = {found[1] for each in requirements if (found := re.match(r"opentelemetry-api>=([\d.]+)", each))}
floors["opentelemetry-api"] = floors["opentelemetry-sdk"] = oldest
print(*(f"{name}=={version}" for name, version in floors.items()))
