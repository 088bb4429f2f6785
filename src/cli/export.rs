//! `tidegate export`: modules of a running gateway as files.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::client::Api;
use super::output::{Failure, Output};
use crate::config::ClientArgs;

#[derive(Args, Clone, Debug)]
pub struct ExportArgs {
    /// Slugs of modules [default: all]
    #[arg(value_name = "MODULE")]
    pub modules: Vec<String>,

    /// Write MODULE.toml for each into this folder, over what stands there [default: print it, which takes one module]
    #[arg(long, value_name = "FOLDER")]
    pub to: Option<PathBuf>,

    #[command(flatten)]
    pub client: ClientArgs,
}

pub async fn run(args: ExportArgs, output: Output) -> Result<(), Failure> {
    let api = Api::new(args.client)?;
    let files = files(&api, &args.modules).await?;
    let Some(folder) = &args.to else {
        let text = match &files[..] {
            [(_, text)] => text.trim_end().to_owned(),
            _ => String::new(),
        };
        if files.len() != 1 && !output.is_json() {
            let detail =
                format!("there are {} modules, and a file holds one: name one, or add --to FOLDER", files.len());
            return Err(Failure::Usage(detail));
        }
        let all: Vec<_> = files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
        return output.answer(&json!({ "files": all }), || text);
    };
    let written = files.iter().map(|(name, text)| write(folder, name, text)).collect::<Result<Vec<_>, _>>()?;
    output.answer(&json!({ "files": written }), || written.join("\n"))
}

/// Names and texts.
async fn files(api: &Api, modules: &[String]) -> Result<Vec<(String, String)>, Failure> {
    if modules.is_empty() {
        let all = api.read("/export").await?;
        let text = |file: &Value, name: &str| file[name].as_str().unwrap_or_default().to_owned();
        let files = all["files"].as_array().into_iter().flatten();
        return Ok(files.map(|file| (text(file, "name"), text(file, "text"))).collect());
    }
    let mut files = Vec::new();
    for module in modules {
        let slug: String = form_urlencoded::byte_serialize(module.as_bytes()).collect();
        files.push((format!("{module}.toml"), api.text(&format!("/export?module={slug}")).await?));
    }
    Ok(files)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<String, Failure> {
    let path = folder.join(name);
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
    written.map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    Ok(path.display().to_string())
}
