"""What Assay can be asked to do. The only place where the areas meet."""
