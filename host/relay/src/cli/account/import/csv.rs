//! CSV (RFC 4180): names in the first line, then an account a line; fields may be quoted.

use super::Record;

pub(super) fn records(text: &str) -> Result<Vec<Record>, String> {
    let mut rows = rows(text.trim_start_matches('\u{feff}'))?.into_iter();
    let names = rows.next().ok_or("the file is empty")?.1;
    let mut records = Vec::new();
    for (line, row) in rows {
        if row.len() != names.len() {
            return Err(format!("line {line} has {} fields, and the first one names {}", row.len(), names.len()));
        }
        let fields =
            names.iter().map(|name| name.trim().to_owned()).zip(row.iter().map(|value| value.trim().to_owned()));
        records.push(fields.filter(|(_, value)| !value.is_empty()).collect());
    }
    Ok(records)
}

/// Rows with the number of the line on which each begins. Empty lines are none.
fn rows(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut line, mut began, mut quoted) = (1, 1, false);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        line += usize::from(character == '\n');
        match character {
            '"' if quoted && rest.peek() == Some(&'"') => field.extend(rest.next()),
            '"' if quoted => quoted = false,
            _ if quoted => field.push(character),
            '"' if field.is_empty() => quoted = true,
            ',' => row.push(std::mem::take(&mut field)),
            '\n' => {
                row.push(std::mem::take(&mut field).trim_end_matches('\r').to_owned());
                let whole = std::mem::take(&mut row);
                if whole.iter().any(|field| !field.is_empty()) {
                    rows.push((began, whole));
                }
                began = line;
            }
            _ => field.push(character),
        }
    }
    if quoted {
        return Err(format!("a quote that begins in the row of line {began} does not end"));
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push((began, row));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    //! Rows and their faults.

    use super::records;

    #[test]
    fn quotes_commas_and_line_ends_are_read_as_rfc_4180_has_them() {
        let read = records("\u{feff}email,client_secret\r\na@x.test,\"s,\"\"1\"\"\nx\"\r\n\r\nb@x.test,\n").unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0]["client_secret"], "s,\"1\"\nx");
        assert_eq!((read[1]["email"].as_str(), read[1].get("client_secret")), ("b@x.test", None));
    }

    #[test]
    fn what_is_no_table_is_told_with_its_line() {
        assert_eq!(records("").unwrap_err(), "the file is empty");
        assert_eq!(records("a,b\n1\n").unwrap_err(), "line 2 has 1 fields, and the first one names 2");
        assert_eq!(records("a\n\"x\n").unwrap_err(), "a quote that begins in the row of line 2 does not end");
    }
}
