"""Print the oldest supported release of each dependency, such as `httpx==0.25.1`, and the boto3 that fits botocore."""

import importlib.metadata

requirements = importlib.metadata.requires("novaact-http") or []
floors = dict(each.split(">=") for each in requirements if "extra ==" not in each)
floors["boto3"] = floors["botocore"]
print(*(f"{name}=={version}" for name, version in floors.items()))
