//! The lines of a profile's body: `name = what`, or the name alone where it is the same. profiles.toml says what each
//! means.

/// One member of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Type,
    Id,
    Uuid,
    EventId,
    Occurred,
    OccurredMicros,
    Workspace,
    Module,
    Record,
    Version,
    Cursor,
    CustomData,
    Changes,
    Field(String),
    Data(Else),
}

/// What stands for the data of an event that declares none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Else {
    /// The id, the fields and what else there is, side by side.
    Flat,
    Fields,
    /// The fields within what tells of the record.
    Record,
}

impl What {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "type" => Self::Type,
            "id" => Self::Id,
            "uuid" => Self::Uuid,
            "event_id" => Self::EventId,
            "occurred" => Self::Occurred,
            "occurred_micros" => Self::OccurredMicros,
            "workspace" => Self::Workspace,
            "module" => Self::Module,
            "record" => Self::Record,
            "version" => Self::Version,
            "cursor" => Self::Cursor,
            "custom_data" => Self::CustomData,
            "changes" => Self::Changes,
            "data" => Self::Data(Else::Flat),
            "data or fields" => Self::Data(Else::Fields),
            "data or record" => Self::Data(Else::Record),
            _ => Self::Field(text.strip_prefix("field ").map(str::trim).filter(|name| is_name(name))?.to_owned()),
        })
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|char| char.is_ascii_alphanumeric() || char == b'_')
}

/// The lines in order; the error names the one that is wrong.
pub fn read(lines: &[String]) -> Result<Vec<Line>, String> {
    let mut read: Vec<Line> = Vec::with_capacity(lines.len());
    for text in lines {
        let (name, what) = text.split_once('=').map_or((text.as_str(), text.as_str()), |(name, what)| (name, what));
        let name = name.trim();
        let what = What::read(what.trim()).ok_or_else(|| format!("`{text}`: nothing of that name can be sent"))?;
        if !is_name(name) || read.iter().any(|line| line.name == name) {
            return Err(format!("`{text}`: `{name}` is no name for a member, or stands there twice"));
        }
        read.push(Line { name: name.to_owned(), what });
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_name_and_what_it_is() {
        let lines = ["event = type", "data", "a=field  auction_id"].map(str::to_owned);
        let wanted = [("event", What::Type), ("data", What::Data(Else::Flat)), ("a", What::Field("auction_id".into()))];
        assert_eq!(read(&lines).unwrap(), wanted.map(|(name, what)| Line { name: name.into(), what }));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for bad in
            ["", "nothing", "a = ", "a = field", "a = field ", "a b = type", " = type", "a = data or", "data or fields"]
        {
            assert!(read(&[bad.to_owned()]).unwrap_err().contains(bad), "{bad}");
        }
        assert!(read(&["id".to_owned(), "id = uuid".to_owned()]).unwrap_err().contains("`id = uuid`"));
    }
}
