//! The data directory: its lock, the seal key, the first owner's key. Both keys are readable by their owner only.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::config::{Config, Database, admin_key_file, database_file};
use crate::secret::{ExposeSecret, SealKey, SecretString};

#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    #[error("{path}: {error}")]
    Io { path: String, error: std::io::Error },
    #[error("{0} is in use by another gateway; give this one a --data-dir of its own")]
    InUse(String),
    #[error("{0} does not hold a seal key: 64 hex digits, or base64 of 32 bytes")]
    BadSealKey(String),
}

/// Holds the directory for as long as it lives.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> DataDirError + '_ {
    |error| DataDirError::Io { path: path.display().to_string(), error }
}

impl DataDir {
    /// Makes the directory if need be, and keeps a second gateway out of it: one process writes the SQLite file.
    pub fn open(config: &Config) -> Result<Self, DataDirError> {
        let path = config.data_dir.clone();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(io(&path))?;
        let lock = lock(&path)?;
        if matches!(config.database, Database::Sqlite) {
            // SQLite gives the files beside it the same mode; they hold payloads.
            let file = database_file(&path);
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&file).map_err(io(&file))?;
        }
        Ok(Self { path, _lock: lock })
    }

    /// The configured seal key, else the one in the directory, else a new one.
    pub fn seal_key(&self, config: &Config) -> Result<SealKey, DataDirError> {
        if let Some(key) = &config.seal_key {
            return Ok(key.clone());
        }
        let file = self.path.join("seal.key");
        match fs::read_to_string(&file) {
            Ok(text) => text.parse().map_err(|_| DataDirError::BadSealKey(file.display().to_string())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let key = SealKey::generate();
                write_private(&file, &key.to_text())?;
                Ok(key)
            }
            Err(error) => Err(io(&file)(error)),
        }
    }

    pub fn remove_admin_key(&self) -> Result<(), DataDirError> {
        let file = admin_key_file(&self.path);
        fs::remove_file(&file).map_err(io(&file))
    }

    pub fn write_admin_key(&self, key: &SecretString) -> Result<(), DataDirError> {
        write_private(&admin_key_file(&self.path), key)
    }
}

fn lock(path: &Path) -> Result<File, DataDirError> {
    let file = path.join("tidegate.lock");
    let lock =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&file).map_err(io(&file))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(io(&file)(error)),
    }
}

/// Whole or not at all: written beside its place, synced, then moved there.
fn write_private(path: &Path, secret: &SecretString) -> Result<(), DataDirError> {
    let draft = path.with_extension("new");
    // What a crash left there may be readable by others.
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft).map_err(io(&draft))?;
    file.write_all(secret.expose_secret().as_bytes()).map_err(io(&draft))?;
    file.write_all(b"\n").map_err(io(&draft))?;
    file.sync_all().map_err(io(&draft))?;
    fs::rename(&draft, path).map_err(io(path))?;
    let folder = path.parent().unwrap_or(path);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}
