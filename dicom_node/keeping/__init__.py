"""What stays on the disk and what may go: retention, watermarks, reconciliation with the files."""
