"""The catalogue: builds, lifecycle, flaws, enforcement stages and floors, replies, hosts, as data with
sources."""
