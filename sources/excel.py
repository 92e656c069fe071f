"""Excel workbooks (.xlsx, .xlsm) in a drop folder: a sheet of the newest, or of all that match.

Every value is a text: what the cell holds, not how it is shown, but for zeros that a format shows
(`00042`) and for dates, which are ISO 8601. Why it is openpyxl that reads, and not pandas:
docs/decisions/008-excel-as-text.md.
"""

from sources.drop_source import drop_source
from sources.excel_dataset import ExcelConfig, ExcelConnection
from sources.excel_reading import ExcelReading

SOURCE = drop_source(ExcelConfig, ExcelConnection, ExcelReading)
