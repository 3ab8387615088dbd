"""What a PDF is made of, read where a hostile one can do no harm."""
