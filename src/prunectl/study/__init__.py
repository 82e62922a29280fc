"""The study: what one TOML file describes, frozen and fully checked. Read by `load.py`."""
