//! Header fields in their order and spelling.

/// Header fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, String)>);

impl Headers {
    /// The first field of that name, in any case of its letters.
    #[must_use]
    pub fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// Every field of that name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether a list field such as `Connection` holds `token`.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name).flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
    }

    /// The length of the body; `Err` when fields contradict each other or are no number.
    pub fn content_length(&self) -> Result<Option<u64>, String> {
        let mut length = None;
        for value in self.all("content-length") {
            let value = value.trim();
            let parsed = value.parse().map_err(|_| format!("Content-Length is {value:?}"))?;
            if length.is_some_and(|known: u64| known != parsed) {
                return Err("two different Content-Length fields".to_owned());
            }
            length = Some(parsed);
        }
        Ok(length)
    }

    /// Whether the body comes in chunks.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        self.has_token("transfer-encoding", "chunked")
    }

    /// Adds a line of a head; a line that starts with a blank continues the field before it.
    ///
    /// # Errors
    /// A line that is no field.
    pub fn add_line(&mut self, line: &str) -> Result<(), String> {
        if line.starts_with([' ', '\t']) {
            let (_, value) = self.0.last_mut().ok_or("the first header line is a continuation")?;
            value.push(' ');
            value.push_str(line.trim());
            return Ok(());
        }
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("the header line {line:?} has no colon"))?;
        let name = name.trim_end();
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("{name:?} is no header name"));
        }
        self.0.push((name.to_owned(), value.trim().to_owned()));
        Ok(())
    }
}
