import { useId } from 'preact/hooks';
import type { Leg, LegName, Diagram as Model, Node } from './diagram.ts';
import { Mark } from './icons.tsx';

/** Where everything is, once beside each other and once below each other. Lines run in the direction of the alarm. */
interface Layout {
  size: [width: number, height: number];
  /** As much as is needed while there is no ARC. */
  short: [width: number, height: number];
  nodes: Record<keyof Model['nodes'], [x: number, y: number]>;
  legs: Record<
    LegName,
    { path: string; middle: [number, number]; label: [x: number, y: number, anchor: 'start' | 'middle'] }
  >;
}
const W = 168;
const H = 56;
const WIDE: Layout = {
  size: [960, 212],
  short: [712, 212],
  nodes: { devices: [2, 32], box: [282, 32], arc: [790, 32], relay: [536, 148] },
  legs: {
    lan: { path: `M${2 + W} 60H278`, middle: [224, 60], label: [226, 48, 'middle'] },
    direct: { path: `M${282 + W} 60H786`, middle: [620, 60], label: [620, 48, 'middle'] },
    uplink: { path: 'M366 88V176H532', middle: [450, 176], label: [380, 166, 'start'] },
    relayArc: { path: `M${536 + W} 176H874V92`, middle: [790, 176], label: [716, 166, 'start'] },
  },
};
const NARROW: Layout = {
  size: [336, 452],
  short: [336, 320],
  nodes: { devices: [2, 2], box: [2, 116], arc: [2, 394], relay: [166, 256] },
  legs: {
    lan: { path: 'M56 58V112', middle: [56, 84], label: [70, 90, 'start'] },
    direct: { path: 'M40 172V390', middle: [40, 310], label: [54, 236, 'start'] },
    uplink: { path: `M${2 + W} 144H250V252`, middle: [250, 198], label: [182, 132, 'start'] },
    relayArc: { path: 'M250 312V422H174', middle: [250, 366], label: [184, 444, 'start'] },
  },
};

/** {@link NARROW} where the relay is not on the way. */
const DIRECT: Layout = {
  size: [336, 288],
  short: [336, 174],
  nodes: { ...NARROW.nodes, arc: [2, 230] },
  legs: { ...NARROW.legs, direct: { path: 'M56 172V226', middle: [56, 198], label: [70, 204, 'start'] } },
};

/**
 * The way of alarms as a picture, with the same in words for those who do not see it.
 * @param tall always from top to bottom, for a narrow place on a wide screen
 */
export function Diagram({ model, tall }: { model: Model; tall?: boolean }) {
  return (
    <figure class="diagram" role="img" aria-label={model.summary}>
      {!tall && (
        <div class="hidden md:block">
          <Drawing model={model} layout={WIDE} />
        </div>
      )}
      <div class={tall ? '' : 'md:hidden'}>
        <Drawing model={model} layout={model.nodes.relay ? NARROW : DIRECT} />
      </div>
    </figure>
  );
}

function Drawing({ model, layout }: { model: Model; layout: Layout }) {
  const arrow = useId();
  const [width, height] = model.nodes.arc ? layout.size : layout.short;
  return (
    <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} class="h-auto max-w-full" aria-hidden="true">
      <defs>
        <marker
          id={arrow}
          viewBox="0 0 8 8"
          refX="6"
          refY="4"
          markerWidth="10"
          markerHeight="10"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0.5 7 4 0 7.5Z" fill="context-stroke" />
        </marker>
      </defs>
      {(Object.keys(model.legs) as LegName[]).map((name) => (
        <Line key={name} leg={model.legs[name]} place={layout.legs[name]} arrow={arrow} />
      ))}
      {(Object.keys(model.nodes) as (keyof Model['nodes'])[]).map((name) => {
        const node = model.nodes[name];
        return node && <Place key={name} node={node} at={layout.nodes[name]} />;
      })}
    </svg>
  );
}

function Line({ leg, place, arrow }: { leg: Leg; place: Layout['legs'][LegName]; arrow: string }) {
  if (leg.state === 'off') return null;
  const [x, y] = place.middle;
  const [labelX, labelY, anchor] = place.label;
  return (
    <g>
      <path class={`leg ${leg.state}`} d={place.path} marker-end={`url(#${arrow})`} />
      {leg.state === 'down' && (
        <>
          <circle class="cross-back" cx={x} cy={y} r="10" />
          <path class="cross" d={`M${x - 6} ${y - 6}l12 12m0-12l-12 12`} />
        </>
      )}
      <text x={labelX} y={labelY} text-anchor={anchor} class={leg.state === 'used' ? 'font-semibold' : ''}>
        {leg.label}
      </text>
    </g>
  );
}

function Place({ node, at: [x, y] }: { node: Node; at: [number, number] }) {
  return (
    <g>
      <rect class="node" x={x} y={y} width={W} height={H} rx="6" />
      <foreignObject x={x} y={y} width={W} height={H}>
        <div class="flex h-full items-start gap-2 p-2">
          <span class="mt-0.5 shrink-0">
            <Mark level={node.level} />
          </span>
          <div class="min-w-0">
            <p class="truncate font-semibold">{node.title}</p>
            <p class="muted small truncate leading-5">{node.sub}</p>
          </div>
        </div>
      </foreignObject>
    </g>
  );
}
