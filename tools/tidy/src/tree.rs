//! The files of the repository that the rules speak about. Knows no rule.

use std::fs;
use std::io;
use std::path::Path;

/// A text file; its path is relative to the root, with slashes.
pub struct TextFile {
    /// For example `src/lib.rs`.
    pub path: String,
    /// The whole of it.
    pub text: String,
}

impl TextFile {
    /// What follows the last dot of the name; empty if there is none.
    pub fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or("");
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Whether it is Rust.
    pub fn is_rust(&self) -> bool {
        self.extension() == "rs"
    }

    /// Whether it is a script without an extension.
    pub fn is_script(&self) -> bool {
        self.extension() == "sh" || self.text.starts_with("#!/")
    }
}

/// Directories that hold what tools made.
const MADE: [&str; 7] =
    ["target", ".git", "node_modules", "__pycache__", "artifacts", "corpus", "logboom-data"];

/// Endings of files that people write.
const WRITTEN: [&str; 10] = ["rs", "toml", "md", "sh", "py", "js", "mjs", "java", "go", "xml"];

/// Every written file below `root`, sorted by path.
pub fn read(root: &Path) -> io::Result<Vec<TextFile>> {
    let mut files = Vec::new();
    visit(root, "", &mut files)?;
    files.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(files)
}

fn visit(root: &Path, under: &str, files: &mut Vec<TextFile>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(under))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if under.is_empty() { name.clone() } else { format!("{under}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() && !MADE.contains(&name.as_str()) {
            visit(root, &path, files)?;
        } else if kind.is_file() {
            let mut file = TextFile { path, text: String::new() };
            let known = WRITTEN.contains(&file.extension());
            if known || file.extension().is_empty() {
                let bytes = fs::read(entry.path())?;
                if known || bytes.starts_with(b"#!/") {
                    file.text = String::from_utf8_lossy(&bytes).into_owned();
                    files.push(file);
                }
            }
        }
    }
    Ok(())
}
