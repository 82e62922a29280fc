# Run inside a virtual environment with `pip install -e ".[test]"`.
.PHONY: check lint types layers test search format picture docs

check: lint types layers test

lint:
	ruff check .
	ruff format --check .

types:
	mypy

layers:
	lint-imports

test:
	pytest

search:
	pytest tests/property --hypothesis-profile=search

format:
	ruff check --fix .
	ruff format .

# The site in build/site, with `pip install -e ".[docs]"`. Warnings, links that lead nowhere and files from elsewhere fail.
docs:
	python docs/stage.py
	zensical build --clean --strict
	! grep -rlE '<(script|link|img|iframe)[^>]+(src|href)="?https?://' build/site --include=*.html

picture: docs/smoke-report.png

docs/smoke-report.png: results/smoke/report.html
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,2300 \
		--virtual-time-budget=8000 --screenshot=$@ file://$(CURDIR)/$<

results/smoke/report.html:
	prunectl run studies/smoke.toml
