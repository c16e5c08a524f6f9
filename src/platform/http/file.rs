//! Files that a browser saves: how they are written, and where those go that are too large to be answered at once.

use crate::{error::AppError, platform::csv};
use axum::{
    Json,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

/// The most lines that are answered at once; larger files are prepared by a job.
pub const MOST_AT_ONCE: usize = 50_000;

/// The page where a larger file is prepared, and the route.
pub const PREPARE: &str = "/exports";

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Csv,
    Json,
}

impl Format {
    /// Reads the word in a query or a form; none is CSV.
    pub fn read(word: Option<&str>) -> Result<Self, AppError> {
        match word {
            None | Some("" | "csv") => Ok(Self::Csv),
            Some("json") => Ok(Self::Json),
            Some(_) => Err(AppError::invalid("format", "A format is csv or json.")),
        }
    }

    /// The word, which is also the end of a file's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }
}

/// "attachment; filename="usage-2026-11-20.csv"": `name` is a word of ours.
pub fn attachment(name: &str, day: time::Date, format: Format) -> String {
    format!("attachment; filename=\"{name}-{day}.{}\"", format.as_str())
}

/// A file of these rows; as JSON it is `body`.
pub fn answer<R: csv::Row, B: Serialize>(name: &str, day: time::Date, format: Format, rows: Vec<R>, body: impl FnOnce(Vec<R>) -> B) -> Response {
    let saved = [(header::CONTENT_DISPOSITION, attachment(name, day, format))];
    match format {
        Format::Csv => (saved, [(header::CONTENT_TYPE, format.content_type())], csv::table(&rows)).into_response(),
        Format::Json => (saved, Json(body(rows))).into_response(),
    }
}

/// A browser goes where the file can be prepared (303); a program is told so (409).
pub fn too_large(headers: &HeaderMap, page: &str) -> Response {
    let is_browser = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|accepted| accepted.contains("text/html"));
    if is_browser {
        return (StatusCode::SEE_OTHER, [(header::LOCATION, page.to_owned())]).into_response();
    }
    AppError::conflict("This export has more than 50,000 lines. Have it prepared: POST /api/v1/exports, or the page Exports.").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_browser_is_sent_to_the_page_and_a_program_is_told() {
        let of = |accepted: &'static str| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accepted))]);
        let browser = too_large(&of("text/html,application/xhtml+xml,*/*;q=0.8"), "/exports?of=usage");
        assert_eq!((browser.status(), &browser.headers()[header::LOCATION]), (StatusCode::SEE_OTHER, &HeaderValue::from_static("/exports?of=usage")));
        assert_eq!(too_large(&of("*/*"), "/exports").status(), StatusCode::CONFLICT);
        assert_eq!(too_large(&HeaderMap::new(), "/exports").status(), StatusCode::CONFLICT);
    }

    #[test]
    fn formats_are_read() {
        assert_eq!((Format::read(None), Format::read(Some("")), Format::read(Some("json"))), (Ok(Format::Csv), Ok(Format::Csv), Ok(Format::Json)));
        assert!(Format::read(Some("xls")).is_err());
    }
}
