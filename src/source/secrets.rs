//! The secrets of a source, as requests meet them: bytes, and until when they count.

use std::borrow::Cow;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::secret::{ExposeSecret, SecretString};

/// A secret's bytes, wherever it is compared. Cheap to clone.
#[derive(Clone)]
pub struct ActiveSecret {
    text: Arc<SecretString>,
    /// From then on it counts for nothing.
    ends: Option<Timestamp>,
}

/// The one in use first; while it replaces another, that one follows.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<ActiveSecret>);

impl Secrets {
    /// Those that count at this time.
    pub fn at(&self, now: Timestamp) -> Cow<'_, [ActiveSecret]> {
        let counts = |secret: &ActiveSecret| secret.ends.is_none_or(|end| end > now);
        if self.0.iter().all(counts) {
            return Cow::Borrowed(&self.0);
        }
        Cow::Owned(self.0.iter().filter(|secret| counts(secret)).cloned().collect())
    }
}

impl ActiveSecret {
    pub fn new(text: SecretString, ends: Option<Timestamp>) -> Self {
        Self { text: Arc::new(text), ends }
    }
}

impl FromIterator<ActiveSecret> for Secrets {
    fn from_iter<T: IntoIterator<Item = ActiveSecret>>(secrets: T) -> Self {
        Self(secrets.into_iter().collect())
    }
}

impl AsRef<[u8]> for ActiveSecret {
    fn as_ref(&self) -> &[u8] {
        self.text.expose_secret().as_bytes()
    }
}

impl std::fmt::Debug for ActiveSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActiveSecret")
    }
}
