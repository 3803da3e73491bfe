//! The program: hands its arguments to the verbs of `cli`.

fn main() {}
