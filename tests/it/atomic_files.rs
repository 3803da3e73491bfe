//! A small file that is replaced as a whole is old or new after a power cut, and new once that was promised.

use crate::kit::at_every_crash_point;
use logboom::sys::{Fs, SimFs, write_atomically};
use std::path::Path;

#[test]
fn a_file_replaced_many_times_never_goes_back_behind_the_last_promise() {
    let path = Path::new("/meta");
    let prepared = SimFs::default();
    write_atomically(&prepared, path, &[0; 700]).unwrap();
    let work =
        |fs: &SimFs| (1..5).take_while(|turn| write_atomically(fs, path, &[*turn; 700]).is_ok()).count();
    let points = at_every_crash_point(&prepared, 40, work, |fs, promised, point| {
        let found = fs.read(path).unwrap();
        let turn = usize::from(found[0]);
        assert!(found.len() == 700 && found.iter().all(|byte| *byte == found[0]), "{point:?}: torn");
        assert!((*promised..=promised + 1).contains(&turn), "{point:?}: {promised} promised, {turn} found");
    });
    assert_eq!(points, 4 * 6);
}
