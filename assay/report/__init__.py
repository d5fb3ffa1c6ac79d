"""Reports as text, JSON, SARIF, JUnit, Markdown and HTML."""
