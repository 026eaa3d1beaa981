"""Files that other tools made, read as evidence: the output of Microsoft's `Get-OnPremServerReportInfo`."""
