//! Checks the rules of this repository that neither the compiler nor clippy knows: layers, sizes, openings, reasons
//! for dependencies, documents that follow the code. Prints what is wrong and exits with 1; `--update` first writes
//! down what a person has just answered for: the hashes in documents and smaller sizes in the ratchet.

mod code;
mod docs;
mod layers;
mod manifests;
mod ratchet;
mod shape;
mod tree;

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let update = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--update") => true,
        Some(_) => {
            eprintln!("usage: tidy [--update]");
            return ExitCode::from(2);
        }
    };
    match run(&root, update) {
        Ok(problems) if problems.is_empty() => {
            println!("tidy: nothing to complain about");
            ExitCode::SUCCESS
        }
        Ok(problems) => {
            problems.iter().for_each(|problem| println!("{problem}"));
            println!("tidy: {} to put right", problems.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(root: &Path, update: bool) -> std::io::Result<Vec<String>> {
    if update {
        let files = tree::read(root)?;
        docs::update(root, &files)?;
        ratchet::update(root, &shape::sizes(&files))?;
    }
    let files = tree::read(root)?;
    if files.is_empty() {
        return Err(std::io::Error::other("no files found"));
    }
    let mut problems = layers::check(&files);
    problems.extend(shape::check(&files));
    problems.extend(ratchet::check(&files, &shape::sizes(&files)));
    problems.extend(manifests::check(&files));
    problems.extend(docs::check(root, &files));
    problems.sort();
    problems.dedup();
    Ok(problems)
}

/// Where a problem is and what it is, as editors like to read it.
fn problem(path: &str, line: usize, what: impl std::fmt::Display) -> String {
    format!("{path}:{line}: {what}")
}
