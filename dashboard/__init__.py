"""The dashboard: what the spine computes, drawn for eyes. `assay dashboard` starts it."""
