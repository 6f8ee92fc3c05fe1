//! The picture of the workbook, drawn from its template: `WRITE_GENERATED_FILES=1 cargo test -p xtask --test guides workbook` writes it
//! again. It shows what the template says, tile by tile, and no data.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{root, text};

const TEMPLATE: &str = "infra/modules/workbook.json";
const PICTURE: &str = "docs/workbook.svg";
const PAGE: &str = "docs/workbook.md";

/// Pixels.
const WIDTH: usize = 960;
const MARGIN: usize = 24;
const TABLE: usize = 92;
const CHART: usize = 132;

/// A tile that asks something.
struct Tile {
    title: String,
    shape: Shape,
}

enum Shape {
    /// The names of its columns.
    Table(Vec<String>),
    /// What there is one line or bar for.
    Chart(String),
}

/// The tiles of a template, in order.
fn tiles(template: &Value) -> Vec<Tile> {
    let items = template["items"].as_array().unwrap().iter();
    items.filter(|item| item["type"] == 3).map(|item| tile(&item["content"])).collect()
}

fn tile(content: &Value) -> Tile {
    let query = content["query"].as_str().unwrap();
    let columns = match serde_json::from_str::<Value>(query) {
        Ok(call) => {
            let columns = call["transformers"][0]["settings"]["columns"].as_array().unwrap().iter();
            columns.map(|column| column["columnid"].as_str().unwrap().to_owned()).collect()
        }
        Err(_) => columns(query),
    };
    let shape = match content["visualization"].as_str().unwrap() {
        "table" => Shape::Table(columns),
        "timechart" | "barchart" => Shape::Chart(series(query)),
        other => panic!("the picture knows no {other}"),
    };
    Tile { title: content["title"].as_str().unwrap().to_owned(), shape }
}

/// The last step of a query that decides its columns, without its first word, and the columns that it groups by.
fn last_step(query: &str) -> (&str, Vec<&str>) {
    let steps = query.split(" | ").filter_map(|step| {
        step.strip_prefix("project ").map(|rest| (rest, "")).or_else(|| {
            let rest = step.strip_prefix("summarize ")?;
            Some(rest.rsplit_once(" by ").unwrap_or((rest, "")))
        })
    });
    let (columns, groups) = steps.last().expect("the query names its columns");
    (columns, split(groups))
}

/// Splits at the commas that stand in no brackets.
fn split(list: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0);
    for (index, c) in list.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(list[begin..index].trim());
                begin = index + 1;
            }
            _ => {}
        }
    }
    parts.push(list[begin..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The name that a column of a query gets.
fn name(column: &str) -> &str {
    column.split_once(" = ").map_or(column, |(name, _)| name)
}

fn columns(query: &str) -> Vec<String> {
    let (columns, groups) = last_step(query);
    groups.into_iter().chain(split(columns)).map(|column| name(column).to_owned()).collect()
}

fn series(query: &str) -> String {
    let (columns, groups) = last_step(query);
    let is_time = |group: &&str| name(group).contains("timestamp");
    let by: Vec<&str> = groups.into_iter().filter(|group| !is_time(group)).map(name).collect();
    let counted: Vec<&str> = split(columns).into_iter().map(name).collect();
    match by.as_slice() {
        [] => counted.join(", "),
        by => format!("{}, by {}", counted.join(", "), by.join(", ")),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture of a template.
fn picture(template: &Value) -> String {
    let parameters = template["items"].as_array().unwrap().iter().find(|item| item["type"] == 9).unwrap();
    let parameters = parameters["content"]["parameters"].as_array().unwrap().iter();
    let mut drawn = String::new();
    let mut x = MARGIN;
    for label in parameters.map(|parameter| parameter["label"].as_str().unwrap()) {
        let width = 40 + 9 * label.len();
        let _ = writeln!(
            drawn,
            "<rect x=\"{x}\" y=\"52\" width=\"{width}\" height=\"26\" rx=\"13\" class=\"pill\"/><text x=\"{}\" y=\"70\">{}</text>",
            x + 16,
            escaped(label)
        );
        x += width + 12;
    }
    let mut y = 96;
    for tile in tiles(template) {
        y = draw(&mut drawn, &tile, y);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{y}\" viewBox=\"0 0 {WIDTH} {y}\" role=\"img\">\n\
         <title>The tiles of the workbook, drawn from its template, without data</title>\n\
         <style>text{{font:13px system-ui,sans-serif;fill:#1b1b1b}}.title{{font-weight:600}}.faint{{fill:#5c5c5c}}\
         .tile{{fill:#fff;stroke:#c8c8c8}}.head{{fill:#eef2f6}}.pill{{fill:#e6eef8;stroke:#9db7d5}}.axis{{stroke:#8a8a8a;fill:none}}</style>\n\
         <rect width=\"{WIDTH}\" height=\"{y}\" fill=\"#f7f7f7\"/>\n\
         <text x=\"{MARGIN}\" y=\"34\" style=\"font-size:20px\" class=\"title\">Policysync</text>\n{drawn}</svg>\n"
    )
}

/// Draws a tile; answers where the next one begins.
fn draw(drawn: &mut String, tile: &Tile, y: usize) -> usize {
    let height = match tile.shape {
        Shape::Table(_) => TABLE,
        Shape::Chart(_) => CHART,
    };
    let width = WIDTH - 2 * MARGIN;
    let _ = writeln!(
        drawn,
        "<rect x=\"{MARGIN}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\" class=\"tile\"/><text x=\"{}\" y=\"{}\" class=\"title\">{}</text>",
        MARGIN + 16,
        y + 26,
        escaped(&tile.title)
    );
    let (left, inner) = (MARGIN + 16, width - 32);
    match &tile.shape {
        Shape::Table(columns) => {
            let _ = writeln!(
                drawn,
                "<rect x=\"{left}\" y=\"{}\" width=\"{inner}\" height=\"28\" class=\"head\"/>",
                y + 42
            );
            for (index, column) in columns.iter().enumerate() {
                let x = left + 10 + index * inner / columns.len();
                let _ = writeln!(drawn, "<text x=\"{x}\" y=\"{}\">{}</text>", y + 61, escaped(column));
            }
        }
        Shape::Chart(series) => {
            let _ = writeln!(
                drawn,
                "<path d=\"M{left} {}v60h{inner}\" class=\"axis\"/><text x=\"{}\" y=\"{}\" class=\"faint\">{}</text>\
                 <text x=\"{}\" y=\"{}\" class=\"faint\" text-anchor=\"end\">time</text>",
                y + 44,
                left + 10,
                y + 58,
                escaped(series),
                left + inner,
                y + 121
            );
        }
    }
    y + height + 16
}

#[test]
fn the_picture_is_that_of_the_template_and_the_page_tells_of_each_tile() {
    let template: Value = serde_json::from_str(&text(TEMPLATE)).unwrap();
    let picture = picture(&template);
    if std::env::var_os("WRITE_GENERATED_FILES").is_some() {
        std::fs::write(root().join(PICTURE), &picture).unwrap();
    }
    assert!(
        text(PICTURE) == picture,
        "{PICTURE} is not that of {TEMPLATE}: write it with WRITE_GENERATED_FILES=1"
    );
    let page = text(PAGE);
    let rows: Vec<&str> =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).map(|row| row.0).collect();
    let titles: Vec<String> = tiles(&template).into_iter().map(|tile| tile.title).collect();
    assert_eq!(rows[1..], titles.iter().map(String::as_str).collect::<Vec<_>>(), "the tiles of {PAGE}");
}

#[test]
fn columns_are_those_of_the_last_step() {
    let query = "t | summarize a = max(b, c) by d, bin(timestamp, 1h) | project d, days = round(a, 1) | order by days";
    assert_eq!(columns(query), ["d", "days"]);
    let query = "t | summarize pairs = sum(pairs), other = count() by state, bin(timestamp, 1h)";
    assert_eq!(series(query), "pairs, other, by state");
    assert_eq!(columns("t | summarize n = count() by name"), ["name", "n"]);
}
