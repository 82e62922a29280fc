"""The sealed fast code behind the entries: selection, curvature, flow, channel graphs. Nothing here is an entry."""
