// Names, not counts: the same sources give the same bytes in any folder.
module.exports = { optimization: { moduleIds: "named", chunkIds: "named" } };
