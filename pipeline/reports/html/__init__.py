"""The HTML report: one self-contained file without script, made to be mailed, printed and read on a phone."""
