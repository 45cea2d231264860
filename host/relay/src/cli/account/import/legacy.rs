//! accounts.json of the older proxy: a list of accounts, an object with `accounts` (either form), or accounts by id.

use serde_json::{Map, Value};

use super::Record;

pub(super) fn records(text: &str) -> Result<Vec<Record>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("this is no JSON: {error}"))?;
    accounts(&value)
}

fn accounts(value: &Value) -> Result<Vec<Record>, String> {
    match value {
        Value::Array(list) => list.iter().enumerate().map(|(index, one)| listed(index, one)).collect(),
        Value::Object(object) => match object.get("accounts") {
            Some(inner @ (Value::Array(_) | Value::Object(_))) => accounts(inner),
            _ => object.iter().map(|(id, one)| named(id, one)).collect(),
        },
        _ => Err("expected a list of accounts, or an object of them".to_owned()),
    }
}

fn listed(index: usize, one: &Value) -> Result<Record, String> {
    one.as_object().map(record).ok_or_else(|| format!("account {} is no object", index + 1))
}

fn named(id: &str, one: &Value) -> Result<Record, String> {
    let mut record = one.as_object().map(record).ok_or_else(|| format!("account {id} is no object"))?;
    record.entry("account_id".to_owned()).or_insert_with(|| id.to_owned());
    Ok(record)
}

/// The fields, those of nested objects as `outer.inner`; what is null or empty is not there.
fn record(object: &Map<String, Value>) -> Record {
    let mut record = Record::new();
    for (name, value) in object {
        match value {
            Value::Null => {}
            Value::String(text) if text.trim().is_empty() => {}
            Value::String(text) => drop(record.insert(name.clone(), text.trim().to_owned())),
            Value::Object(inner) => {
                record.extend(self::record(inner).into_iter().map(|(field, value)| (format!("{name}.{field}"), value)));
            }
            other => drop(record.insert(name.clone(), other.to_string())),
        }
    }
    record
}
