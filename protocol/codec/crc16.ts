/*
 * CRC-16/ARC as DC-07 and DC-09 use it: polynomial 0x8005, reflected (0xA001), initial value 0. The table is made here and
 * not copied: the one printed in DC-07 is wrong in its 101st entry.
 */
const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  return crc;
});

/** CRC-16/ARC of all bytes; `crc16("123456789")` is 0xBB3D. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff]!;
  return crc;
}
