//! Every file of the corpus through its target once.

use std::path::Path;

#[test]
fn the_corpus_passes() {
    for (name, target) in tidegate_fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
        let mut files: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 12, "{name} has too small a corpus");
        for file in files {
            eprintln!("{}", file.display()); // shown when the target panics
            target(&std::fs::read(&file).unwrap());
        }
    }
}
