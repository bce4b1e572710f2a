/** Geometry for the map: the world outside the basin, boxes, and points on which areas are named. */

type Ring = GeoJSON.Position[];
export type Box = [number, number, number, number];

const WORLD: Ring = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]];

function outerRings(collection: GeoJSON.FeatureCollection): Ring[] {
  return collection.features.flatMap(({ geometry }) => {
    if (geometry.type === "Polygon") return geometry.coordinates.slice(0, 1);
    if (geometry.type === "MultiPolygon") return geometry.coordinates.flatMap((polygon) => polygon.slice(0, 1));
    return [];
  });
}

/** Everything but the basin, as one polygon with the basin for a hole. */
export function outsideOf(boundary: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  const rings = outerRings(boundary);
  if (!rings.length) return { type: "FeatureCollection", features: [] };
  return {
    type: "FeatureCollection",
    features: [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [WORLD, ...rings] } }],
  };
}

export function boxOf(points: Iterable<GeoJSON.Position>): Box | null {
  let box: Box | null = null;
  for (const [x = 0, y = 0] of points) {
    box = box ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)] : [x, y, x, y];
  }
  return box;
}

export const boxOfAreas = (collection: GeoJSON.FeatureCollection): Box | null => boxOf(outerRings(collection).flat());

/** The box grown on each side by a share of its size, and by at least a little. */
export function grown(box: Box, share: number): Box {
  const x = Math.max((box[2] - box[0]) * share, 0.02);
  const y = Math.max((box[3] - box[1]) * share, 0.02);
  return [box[0] - x, box[1] - y, box[2] + x, box[3] + y];
}

function area(ring: Ring): number {
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i++) sum += ring[i]![0]! * ring[i + 1]![1]! - ring[i + 1]![0]! * ring[i]![1]!;
  return Math.abs(sum / 2);
}

function centroid(ring: Ring): GeoJSON.Position {
  let x = 0, y = 0, sum = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [ax = 0, ay = 0] = ring[i]!, [bx = 0, by = 0] = ring[i + 1]!;
    const cross = ax * by - bx * ay;
    x += (ax + bx) * cross;
    y += (ay + by) * cross;
    sum += cross;
  }
  return sum ? [x / (3 * sum), y / (3 * sum)] : (ring[0] ?? [0, 0]);
}

/** A point for each area's name: the centroid of its largest part. */
export function namePoints(collection: GeoJSON.FeatureCollection): GeoJSON.FeatureCollection {
  return {
    type: "FeatureCollection",
    features: collection.features.flatMap((feature): GeoJSON.Feature[] => {
      const rings = outerRings({ type: "FeatureCollection", features: [feature] });
      const largest = rings.sort((a, b) => area(b) - area(a))[0];
      return largest ? [{ type: "Feature", properties: feature.properties, geometry: { type: "Point", coordinates: centroid(largest) } }] : [];
    }),
  };
}
