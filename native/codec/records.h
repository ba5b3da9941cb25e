// The flat records that cross between TypeScript and C++: one buffer for a whole batch, one for a whole
// reply. Words are 32 bits in the host's byte order. src/native/pack.ts and src/native/unpack.ts are the
// other side.
//
//   buffer  := message*
//   message := [id] [flags] [tag] [bodyWords] body
//     down: flags = extra nlmsg_flags; tag = 0
//     up:   flags = nlmsg_flags; tag = index of the request that it answers (0 for dumps and events)
//           id = kOpaque: a message that the tables do not know; body := [nlmsg_type] [byteLength] bytes
//   body    := entry*
//   entry   := [field] value                 field: header fields first, then attributes, in the tables'
//   order
//     u8 u16 u32 s32 be16 be32 beS32 flag    [value]
//     u64 be64                               [low] [high]
//     string bytes                           [byteLength] bytes, padded with zeros to words; no terminating
//     NUL nested                                 [words] entry* list structs [words] ( [words] entry* )*
//     strings                                [words] ( [byteLength] bytes )*
//     select                                 [variant] [words] entry*   or   [kOpaque] [byteLength] bytes
//   entry   := [kOpaque] [attribute type with its flags] [byteLength] bytes      unknown, kept as it is
#pragma once

#include <cstdint>

namespace nfbridge::codec {

inline constexpr std::uint32_t kOpaque = 0xffffffffu;
inline constexpr std::uint32_t kMessageHeadWords = 4;
// Nests deeper than this are refused on the way down and kept as opaque bytes on the way up. The deepest that
// the kernel knows, a rule's element's expression's data, has nine.
inline constexpr int kMaxDepth = 24;

}  // namespace nfbridge::codec
