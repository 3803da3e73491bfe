//! Mapping of sealed files into memory. The one unsafe block of the log lives here.

use super::fs::File;
use std::io;
use std::ops::Deref;

/// The bytes of a sealed file, mapped for reading.
pub struct Map(memmap2::Mmap);

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Maps the whole of `file`; `None` where there is no descriptor (the simulation). The caller promises that the
/// file is sealed: nothing in this process writes to it or cuts it while the map lives; it is replaced by rename only.
pub fn map_file(file: &dyn File) -> io::Result<Option<Map>> {
    let Some(fd) = file.fd() else { return Ok(None) };
    // SAFETY: a map must not change under the reader. Sealed index files are never written in place (callers
    // promise it, above), and the lock of the log directory keeps other brokers away. A stranger who cuts the file
    // can end the process with SIGBUS; he cannot make it read memory that is not the file's.
    #[expect(unsafe_code, reason = "memmap2 leaves it to the caller that the file does not change")]
    let map = unsafe { memmap2::Mmap::map(&fd) }?;
    Ok(Some(Map(map)))
}
