"""The London Underground in fare zone 1, a graph to test on (as in Graves et al. 2016, Nature, Fig. 3, which has its own extract).

Stations and their order on each line as of 2024; positions roughly. Left out: everything beyond zone 1 (stations on its edge, like
Earl's Court, Vauxhall and Kennington, are in), and the Elizabeth line, the Overground, the DLR and walking, also that between Bank
and Monument. Paddington is one station here, Edgware Road two, as on the map.

An edge leads from a station to the next one along a line in a direction, and there is another one back. A line that forks is two:
the Northern line by way of Charing Cross and by way of Bank, the District line to Tower Hill and to Edgware Road. So no station has
two edges of the same kind.
"""

import functools

import numpy as np

from numpymem.tasks.graphs.random_graphs import Graph

LINES = {                                         # in the direction named first; the Circle line's last station is its first
    ("Bakerloo", "south", "north"): (
        "Paddington", "Edgware Road (Bakerloo)", "Marylebone", "Baker Street", "Regent's Park", "Oxford Circus",
        "Piccadilly Circus", "Charing Cross", "Embankment", "Waterloo", "Lambeth North", "Elephant & Castle"),
    ("Central", "east", "west"): (
        "Notting Hill Gate", "Queensway", "Lancaster Gate", "Marble Arch", "Bond Street", "Oxford Circus", "Tottenham Court Road",
        "Holborn", "Chancery Lane", "St Paul's", "Bank", "Liverpool Street"),
    ("Circle", "clockwise", "anticlockwise"): (
        "Edgware Road", "Baker Street", "Great Portland Street", "Euston Square", "King's Cross", "Farringdon", "Barbican",
        "Moorgate", "Liverpool Street", "Aldgate", "Tower Hill", "Monument", "Cannon Street", "Mansion House", "Blackfriars",
        "Temple", "Embankment", "Westminster", "St James's Park", "Victoria", "Sloane Square", "South Kensington",
        "Gloucester Road", "High Street Kensington", "Notting Hill Gate", "Bayswater", "Paddington", "Edgware Road"),
    ("District", "east", "west"): (
        "Earl's Court", "Gloucester Road", "South Kensington", "Sloane Square", "Victoria", "St James's Park", "Westminster",
        "Embankment", "Temple", "Blackfriars", "Mansion House", "Cannon Street", "Monument", "Tower Hill", "Aldgate East"),
    ("District to Edgware Road", "north", "south"): (
        "Earl's Court", "High Street Kensington", "Notting Hill Gate", "Bayswater", "Paddington", "Edgware Road"),
    ("Hammersmith & City", "east", "west"): (
        "Paddington", "Edgware Road", "Baker Street", "Great Portland Street", "Euston Square", "King's Cross", "Farringdon",
        "Barbican", "Moorgate", "Liverpool Street", "Aldgate East"),
    ("Jubilee", "south", "north"): (
        "Baker Street", "Bond Street", "Green Park", "Westminster", "Waterloo", "Southwark", "London Bridge"),
    ("Metropolitan", "south", "north"): (
        "Baker Street", "Great Portland Street", "Euston Square", "King's Cross", "Farringdon", "Barbican", "Moorgate",
        "Liverpool Street", "Aldgate"),
    ("Northern via Charing Cross", "south", "north"): (
        "Euston", "Warren Street", "Goodge Street", "Tottenham Court Road", "Leicester Square", "Charing Cross", "Embankment",
        "Waterloo", "Kennington", "Nine Elms", "Battersea Power Station"),
    ("Northern via Bank", "south", "north"): (
        "Euston", "King's Cross", "Angel", "Old Street", "Moorgate", "Bank", "London Bridge", "Borough", "Elephant & Castle",
        "Kennington"),
    ("Piccadilly", "east", "west"): (
        "Earl's Court", "Gloucester Road", "South Kensington", "Knightsbridge", "Hyde Park Corner", "Green Park",
        "Piccadilly Circus", "Leicester Square", "Covent Garden", "Holborn", "Russell Square", "King's Cross"),
    ("Victoria", "south", "north"): (
        "King's Cross", "Euston", "Warren Street", "Oxford Circus", "Green Park", "Victoria", "Pimlico", "Vauxhall"),
    ("Waterloo & City", "east", "west"): ("Waterloo", "Bank"),
}
POSITIONS = {                                     # station: degrees west of Greenwich, degrees north
    "Aldgate": (0.076, 51.514), "Aldgate East": (0.072, 51.515), "Angel": (0.106, 51.532), "Baker Street": (0.157, 51.523),
    "Bank": (0.089, 51.513), "Barbican": (0.098, 51.520), "Battersea Power Station": (0.142, 51.480), "Bayswater": (0.188, 51.512),
    "Blackfriars": (0.103, 51.512), "Bond Street": (0.149, 51.514), "Borough": (0.094, 51.501), "Cannon Street": (0.090, 51.511),
    "Chancery Lane": (0.112, 51.518), "Charing Cross": (0.127, 51.508), "Covent Garden": (0.124, 51.513),
    "Earl's Court": (0.194, 51.492), "Edgware Road": (0.168, 51.520), "Edgware Road (Bakerloo)": (0.170, 51.521),
    "Elephant & Castle": (0.100, 51.495), "Embankment": (0.122, 51.507), "Euston": (0.133, 51.528),
    "Euston Square": (0.136, 51.526), "Farringdon": (0.105, 51.520), "Gloucester Road": (0.183, 51.494),
    "Goodge Street": (0.135, 51.520), "Great Portland Street": (0.144, 51.524), "Green Park": (0.143, 51.507),
    "High Street Kensington": (0.192, 51.501), "Holborn": (0.120, 51.517), "Hyde Park Corner": (0.153, 51.503),
    "Kennington": (0.106, 51.488), "King's Cross": (0.124, 51.530), "Knightsbridge": (0.161, 51.501),
    "Lambeth North": (0.112, 51.499), "Lancaster Gate": (0.175, 51.512), "Leicester Square": (0.128, 51.511),
    "Liverpool Street": (0.083, 51.517), "London Bridge": (0.088, 51.505), "Mansion House": (0.094, 51.512),
    "Marble Arch": (0.159, 51.513), "Marylebone": (0.163, 51.522), "Monument": (0.086, 51.510), "Moorgate": (0.089, 51.518),
    "Nine Elms": (0.128, 51.480), "Notting Hill Gate": (0.196, 51.509), "Old Street": (0.088, 51.526),
    "Oxford Circus": (0.142, 51.515), "Paddington": (0.176, 51.516), "Piccadilly Circus": (0.134, 51.510),
    "Pimlico": (0.133, 51.489), "Queensway": (0.187, 51.510), "Regent's Park": (0.147, 51.523), "Russell Square": (0.124, 51.523),
    "Sloane Square": (0.156, 51.492), "South Kensington": (0.174, 51.494), "Southwark": (0.105, 51.504),
    "St James's Park": (0.133, 51.499), "St Paul's": (0.097, 51.515), "Temple": (0.114, 51.511),
    "Tottenham Court Road": (0.130, 51.516), "Tower Hill": (0.077, 51.510), "Vauxhall": (0.124, 51.486),
    "Victoria": (0.144, 51.496), "Warren Street": (0.138, 51.525), "Waterloo": (0.114, 51.504), "Westminster": (0.125, 51.501),
}
STATIONS = tuple(POSITIONS)
KINDS = tuple(f"{line} {way}" for line, *ways in LINES for way in ways)


@functools.cache
def graph():
    """All stations as a Graph; `names` are STATIONS, its kinds of edges KINDS."""
    number, triples = {name: index for index, name in enumerate(STATIONS)}, []
    for line, order in enumerate(LINES.values()):
        stops = [number[name] for name in order]
        triples += [(here, 2 * line, there) for here, there in zip(stops, stops[1:])]
        triples += [(there, 2 * line + 1, here) for here, there in zip(stops, stops[1:])]
    return Graph(len(STATIONS), len(KINDS), np.array(triples), STATIONS)
