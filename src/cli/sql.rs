//! `tidegate sql`: the operator's SQL on the SQLite file of a data directory.

use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::output::{Failure, Output};
use crate::config::sqlite_file;
use crate::store::shell::{Answer, Shell, statements};

#[derive(Args, Clone, Debug)]
pub struct SqlArgs {
    /// Statements, with `;` between them; `-` is stdin
    #[arg(value_name = "STATEMENT")]
    pub statement: String,

    /// The gateway's data directory [TIDEGATE_DATA_DIR] [default: ./tidegate-data]
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

pub async fn run(args: SqlArgs, output: Output) -> Result<(), Failure> {
    let text = match &*args.statement {
        "-" => {
            let mut text = String::new();
            let read = std::io::stdin().lock().read_to_string(&mut text);
            read.map_err(|error| Failure::Usage(format!("stdin: {error}")))?;
            text
        }
        statement => statement.to_owned(),
    };
    let file = sqlite_file(args.data_dir).map_err(|bad| Failure::Usage(bad.to_string()))?;
    if !file.exists() {
        let detail = format!("{} is not there: give --data-dir, or run where the gateway runs", file.display());
        return Err(Failure::Usage(detail));
    }
    let refused = |detail: String, done: &[Value]| {
        Failure::Refused(json!({ "code": "sql", "title": "SQLite", "detail": detail, "results": done }))
    };
    let mut shell = Shell::open(&file).await.map_err(|detail| refused(detail, &[]))?;
    let mut done = Vec::new();
    for statement in statements(&text) {
        let answer = shell.run(statement).await.map_err(|detail| refused(detail, &done))?;
        output.say(&table(&answer))?;
        done.push(json!({ "columns": answer.columns, "rows": answer.rows, "changed": answer.changed }));
    }
    shell.close().await.map_err(|detail| refused(detail, &done))?;
    output.object(&json!({ "results": done }))
}

/// Rows under the names of their columns, or what became of them.
fn table(answer: &Answer) -> String {
    match (answer.rows.is_empty(), answer.changed) {
        (true, Some(1)) => return "1 row changed".to_owned(),
        (true, Some(count)) => return format!("{count} rows changed"),
        (true, None) => return "no rows".to_owned(),
        (false, _) => {}
    }
    let texts = answer.rows.iter().map(|row| row.iter().map(cell).collect());
    let lines: Vec<Vec<String>> = std::iter::once(answer.columns.clone()).chain(texts).collect();
    let width = |place: usize| lines.iter().filter_map(|line| line.get(place)).map(|cell| cell.chars().count()).max();
    let widths = (0..answer.columns.len()).map(|place| width(place).unwrap_or(0)).collect::<Vec<_>>();
    let line = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rule = widths.iter().map(|width| "-".repeat(*width)).collect();
    let (head, rows) = lines.split_at(1);
    head.iter().chain([&rule]).chain(rows).map(line).collect::<Vec<_>>().join("\n")
}

/// On one line.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::String(text) => text.replace(['\n', '\r', '\t'], " "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_under_their_columns() {
        let answer = Answer {
            columns: vec!["code".to_owned(), "n".to_owned()],
            rows: vec![vec![json!("ä-1"), json!(7)], vec![json!("two\nlines"), Value::Null]],
            changed: None,
        };
        assert_eq!(table(&answer), "code       n\n---------  ----\nä-1        7\ntwo lines  null");
        assert_eq!(table(&Answer { changed: Some(2), ..Answer::default() }), "2 rows changed");
        assert_eq!(table(&Answer::default()), "no rows");
    }
}
