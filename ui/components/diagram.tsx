import type { Leg, LegName, Diagram as Model, Node } from './diagram.ts';
import { Mark } from './icons.tsx';

/** Where everything is, once beside each other and once below each other. Lines run in the direction of the alarm. */
interface Layout {
  box: string;
  size: [width: number, height: number];
  nodes: Record<keyof Model['nodes'], [x: number, y: number]>;
  legs: Record<
    LegName,
    { path: string; middle: [number, number]; label: [x: number, y: number, anchor: 'start' | 'middle'] }
  >;
}
const W = 168;
const H = 56;
const WIDE: Layout = {
  box: '0 0 960 212',
  size: [960, 212],
  nodes: { devices: [2, 32], box: [282, 32], arc: [790, 32], relay: [536, 148] },
  legs: {
    lan: { path: `M${2 + W} 60H278`, middle: [224, 60], label: [226, 48, 'middle'] },
    direct: { path: `M${282 + W} 60H786`, middle: [620, 60], label: [620, 48, 'middle'] },
    uplink: { path: 'M366 88V176H532', middle: [450, 176], label: [380, 166, 'start'] },
    relayArc: { path: `M${536 + W} 176H874V92`, middle: [790, 176], label: [716, 166, 'start'] },
  },
};
const NARROW: Layout = {
  box: '0 0 336 452',
  size: [336, 452],
  nodes: { devices: [2, 2], box: [2, 116], arc: [2, 394], relay: [166, 256] },
  legs: {
    lan: { path: 'M56 58V112', middle: [56, 84], label: [70, 90, 'start'] },
    direct: { path: 'M40 172V390', middle: [40, 230], label: [54, 354, 'start'] },
    uplink: { path: `M${2 + W} 144H250V252`, middle: [250, 198], label: [54, 206, 'start'] },
    relayArc: { path: 'M250 312V422H174', middle: [250, 366], label: [184, 444, 'start'] },
  },
};

/** The way of alarms as a picture, with the same in words for those who do not see it. */
export function Diagram({ model }: { model: Model }) {
  return (
    <figure class="diagram" role="img" aria-label={model.summary}>
      <div class="hidden md:block">
        <Drawing model={model} layout={WIDE} />
      </div>
      <div class="md:hidden">
        <Drawing model={model} layout={NARROW} />
      </div>
    </figure>
  );
}

function Drawing({ model, layout }: { model: Model; layout: Layout }) {
  const arrow = layout === WIDE ? 'arrow-wide' : 'arrow-narrow';
  return (
    <svg
      viewBox={layout.box}
      width={layout.size[0]}
      height={layout.size[1]}
      class="h-auto max-w-full"
      aria-hidden="true"
    >
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
  const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  return (
    <g>
      <rect class="node" x={x} y={y} width={W} height={H} rx="6" />
      <svg x={x + 10} y={y + 11} width="16" height="16" aria-hidden="true">
        <Mark level={node.level} />
      </svg>
      <text x={x + 34} y={y + 24} class="font-semibold">
        {cut(node.title, 16)}
      </text>
      <text x={x + 34} y={y + 43} class="sub">
        {cut(node.sub, 20)}
      </text>
    </g>
  );
}
