package org.gumbel4j.gateway;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The shared memory that Python owns and this process has mapped, by number. Safe for use from any
 * thread.
 */
final class Segments {
  private record Mapping(Arena arena, MemorySegment memory) {}

  private final Map<Long, Mapping> mappings = new ConcurrentHashMap<>();

  /** Maps the file; a segment that is mapped already stays as it is. */
  synchronized void map(long segment, String path, long bytes) throws IOException {
    if (mappings.containsKey(segment)) {
      return;
    }
    Arena arena = Arena.ofShared();
    try {
      mappings.put(segment, new Mapping(arena, open(path, bytes, arena)));
    } catch (IOException | RuntimeException | OutOfMemoryError refused) {
      arena.close();
      throw refused;
    }
  }

  synchronized void unmap(long segment) {
    Mapping mapping = mappings.get(segment);
    if (mapping != null) {
      mapping.arena().close();
      mappings.remove(segment);
    }
  }

  /** The memory of a segment from the given byte on. */
  MemorySegment from(long segment, long offset) {
    Mapping mapping = mappings.get(segment);
    if (mapping == null) {
      throw new IllegalArgumentException("segment " + segment + " is not mapped");
    }
    return mapping.memory().asSlice(offset);
  }

  static long firstLong(String path) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      return open(path, Long.BYTES, arena).get(ValueLayout.JAVA_LONG, 0);
    }
  }

  private static MemorySegment open(String path, long bytes, Arena arena) throws IOException {
    try (FileChannel file =
        FileChannel.open(Path.of(path), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      // Mapping beyond the end would make the file grow; Python makes it full size.
      if (file.size() < bytes) {
        throw new IllegalArgumentException(
            path + " has " + file.size() + " bytes, " + bytes + " are to be mapped");
      }
      return file.map(MapMode.READ_WRITE, 0, bytes, arena);
    }
  }
}
