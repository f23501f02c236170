//! One client's objects, under construction.
use crate::{Object, ObjectId};
pub(crate) struct Objects;
impl Objects {
    pub(crate) fn lookup(&self, _id: ObjectId) -> Option<Object> { None }
    pub(crate) fn set_data(&mut self, _id: ObjectId, _data: u64) {}
}
