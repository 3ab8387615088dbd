"""Embedded invoices: Factur-X and ZUGFeRD, read and checked."""
